// Programs as users write them with client-go, for the tests:
//
//	client-go follow KUBECONFIG SELECTOR RESOURCE…   shared informers; each line of input asks for what they know
//	client-go send KUBECONFIG                        each line of input is a request, sent as protobuf
//	client-go messages                               the protobuf messages of the built-in kinds
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) > 3 && args[0] == "follow":
		config, err := connection(args[1])
		if err != nil {
			return err
		}
		return follow(config, args[2], args[3:])
	case len(args) == 2 && args[0] == "send":
		config, err := connection(args[1])
		if err != nil {
			return err
		}
		return send(config)
	case len(args) == 1 && args[0] == "messages":
		return messages()
	}
	return fmt.Errorf("usage: client-go follow KUBECONFIG SELECTOR RESOURCE… | send KUBECONFIG | messages")
}

func connection(kubeconfig string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	// The tests say how fast; a client's own brake would only make them wait.
	config.QPS = -1
	return config, nil
}

// eachLine answers each line of the input with one line.
func eachLine(answer func(line []byte) (any, error)) error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		value, err := answer(lines.Bytes())
		if err != nil {
			return err
		}
		if err := out.Encode(value); err != nil {
			return err
		}
	}
	return lines.Err()
}

package main

import (
	"context"
	"encoding/json"
	"fmt"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// request is an object in JSON that is sent as protobuf, by its type.
type request struct {
	Verb   string          `json:"verb"`
	Path   string          `json:"path"`
	Query  string          `json:"query"`
	Object json.RawMessage `json:"object"`
}

// kinds knows the built-in kinds and their definitions of others.
func kinds() (*runtime.Scheme, error) {
	kinds := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, apiextensions.AddToScheme} {
		if err := add(kinds); err != nil {
			return nil, err
		}
	}
	metav1.AddToGroupVersion(kinds, schema.GroupVersion{Version: "v1"})
	return kinds, nil
}

func send(config *rest.Config) error {
	kinds, err := kinds()
	if err != nil {
		return err
	}
	codecs := serializer.NewCodecFactory(kinds)
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeJSON
	config.NegotiatedSerializer = codecs.WithoutConversion()
	return eachLine(func(line []byte) (any, error) {
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			return nil, err
		}
		object, kind, err := codecs.UniversalDeserializer().Decode(asked.Object, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", asked.Object, err)
		}
		// A request is encoded in the version that its client is made for.
		version := kind.GroupVersion()
		config := rest.CopyConfig(config)
		config.GroupVersion = &version
		client, err := rest.UnversionedRESTClientFor(config)
		if err != nil {
			return nil, err
		}
		asking := client.Verb(asked.Verb).AbsPath(asked.Path)
		if asked.Query != "" {
			asking = asking.Param("dryRun", asked.Query)
		}
		answer, err := asking.Body(object).Do(context.Background()).Raw()
		if !json.Valid(answer) {
			return nil, fmt.Errorf("%s %s: %q, %w", asked.Verb, asked.Path, answer, err)
		}
		return json.RawMessage(answer), nil
	})
}

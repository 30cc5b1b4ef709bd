package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// known is what an informer knows: its store, and what became of the events that its handlers were told.
type known struct {
	Store map[string]any    `json:"store"`
	Told  map[string]string `json:"told"`
}

type follower struct {
	informer cache.SharedIndexInformer
	told     map[string]string
	lock     sync.Mutex
}

func newFollower(informer cache.SharedIndexInformer) *follower {
	f := &follower{informer: informer, told: map[string]string{}}
	set := func(object any) {
		f.lock.Lock()
		defer f.lock.Unlock()
		f.told[key(object)] = version(object)
	}
	f.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    set,
		UpdateFunc: func(_, object any) { set(object) },
		DeleteFunc: func(object any) {
			f.lock.Lock()
			defer f.lock.Unlock()
			delete(f.told, key(object))
		},
	})
	return f
}

func (f *follower) known() known {
	f.lock.Lock()
	defer f.lock.Unlock()
	now := known{Store: map[string]any{}, Told: map[string]string{}}
	for _, object := range f.informer.GetStore().List() {
		now.Store[key(object)] = object
	}
	for key, version := range f.told {
		now.Told[key] = version
	}
	return now
}

func key(object any) string {
	key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
	if err != nil {
		panic(err)
	}
	return key
}

func version(object any) string {
	metadata, err := meta.Accessor(object)
	if err != nil {
		panic(err)
	}
	return metadata.GetResourceVersion()
}

// asked counts the requests by what they were, and the answers that a version is gone.
type asked struct {
	lock   sync.Mutex
	counts map[string]int
	next   http.RoundTripper
}

func (a *asked) RoundTrip(request *http.Request) (*http.Response, error) {
	query := request.URL.Query()
	what := "list"
	if query.Get("watch") != "" {
		what = "watch"
		if query.Get("sendInitialEvents") == "true" {
			what = "stream"
		}
	}
	response, err := a.next.RoundTrip(request)
	a.lock.Lock()
	defer a.lock.Unlock()
	if err == nil {
		a.counts[what]++
	} else {
		a.counts["failed"]++
	}
	return response, err
}

func (a *asked) now() map[string]int {
	a.lock.Lock()
	defer a.lock.Unlock()
	now := map[string]int{}
	for what, count := range a.counts {
		now[what] = count
	}
	return now
}

func follow(config *rest.Config, selector string, resources []string) error {
	requests := &asked{counts: map[string]int{}}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		requests.next = next
		return requests
	})
	selected := func(options *metav1.ListOptions) { options.LabelSelector = selector }
	untyped, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	dynamics := dynamicinformer.NewFilteredDynamicSharedInformerFactory(untyped, 0, metav1.NamespaceAll, selected)
	shared := informers.NewSharedInformerFactoryWithOptions(typed, 0, informers.WithTweakListOptions(selected))
	followers := map[string]*follower{}
	for _, resource := range resources {
		name, err := parse(resource)
		if err != nil {
			return err
		}
		followers[resource] = newFollower(dynamics.ForResource(name).Informer())
		if informer, err := shared.ForResource(name); err == nil {
			followers["typed "+resource] = newFollower(informer.Informer())
		}
	}
	stop := make(chan struct{})
	defer close(stop)
	dynamics.Start(stop)
	shared.Start(stop)
	return eachLine(func([]byte) (any, error) {
		all := map[string]known{}
		for name, follower := range followers {
			all[name] = follower.known()
		}
		return map[string]any{"known": all, "asked": requests.now()}, nil
	})
}

// parse reads GROUP/VERSION/RESOURCE, or VERSION/RESOURCE of the core.
func parse(resource string) (schema.GroupVersionResource, error) {
	slash := strings.LastIndex(resource, "/")
	if slash < 0 {
		return schema.GroupVersionResource{}, fmt.Errorf("%s is no GROUP/VERSION/RESOURCE", resource)
	}
	version, err := schema.ParseGroupVersion(resource[:slash])
	return version.WithResource(resource[slash+1:]), err
}

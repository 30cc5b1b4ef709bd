package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// special types are written in JSON otherwise than as their fields.
var special = map[reflect.Type]string{
	reflect.TypeFor[metav1.Time]():          "time",
	reflect.TypeFor[metav1.MicroTime]():     "microtime",
	reflect.TypeFor[metav1.FieldsV1]():      "json",
	reflect.TypeFor[runtime.RawExtension](): "json",
	reflect.TypeFor[resource.Quantity]():    "quantity",
	reflect.TypeFor[intstr.IntOrString]():   "intorstring",
	reflect.TypeFor[apiextensions.JSON]():   "json",
}

// oneOf are the types that JSON writes as the last of their fields that is there.
var oneOf = map[reflect.Type]bool{
	reflect.TypeFor[apiextensions.JSONSchemaPropsOrBool]():        true,
	reflect.TypeFor[apiextensions.JSONSchemaPropsOrArray]():       true,
	reflect.TypeFor[apiextensions.JSONSchemaPropsOrStringArray](): true,
}

// ours are the kinds that are read.
var ours = []string{
	"v1 ConfigMap", "v1 DeleteOptions", "v1 Endpoints", "v1 Event", "v1 Namespace", "v1 Node", "v1 Pod", "v1 Secret", "v1 Service",
	"v1 ServiceAccount",
	"admissionregistration.k8s.io/v1 MutatingWebhookConfiguration",
	"admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration",
	"apiextensions.k8s.io/v1 CustomResourceDefinition",
	"apps/v1 Deployment", "apps/v1 ReplicaSet", "apps/v1 StatefulSet",
	"authentication.k8s.io/v1 SelfSubjectReview", "authentication.k8s.io/v1 TokenRequest", "authentication.k8s.io/v1 TokenReview",
	"authorization.k8s.io/v1 LocalSubjectAccessReview", "authorization.k8s.io/v1 SelfSubjectAccessReview",
	"authorization.k8s.io/v1 SelfSubjectRulesReview", "authorization.k8s.io/v1 SubjectAccessReview",
	"autoscaling/v1 HorizontalPodAutoscaler", "autoscaling/v1 Scale", "autoscaling/v2 HorizontalPodAutoscaler", "batch/v1 Job",
	"coordination.k8s.io/v1 Lease", "discovery.k8s.io/v1 EndpointSlice", "events.k8s.io/v1 Event",
	"policy/v1 PodDisruptionBudget", "rbac.authorization.k8s.io/v1 ClusterRole", "rbac.authorization.k8s.io/v1 ClusterRoleBinding",
	"rbac.authorization.k8s.io/v1 Role", "rbac.authorization.k8s.io/v1 RoleBinding",
}

// messages prints a line for each kind, then one for each message that they are made of.
func messages() error {
	kinds, err := kinds()
	if err != nil {
		return err
	}
	walk := walk{lines: map[string]string{}}
	for _, name := range ours {
		version, kind, _ := strings.Cut(name, " ")
		parsed, err := schema.ParseGroupVersion(version)
		if err != nil {
			return err
		}
		object, err := kinds.New(parsed.WithKind(kind))
		if err != nil {
			return err
		}
		message, err := walk.message(reflect.TypeOf(object).Elem())
		if err != nil {
			return err
		}
		fmt.Printf("%s %s = %s\n", version, kind, message)
	}
	names := make([]string, 0, len(walk.lines))
	for name := range walk.lines {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Printf("%s:%s\n", name, walk.lines[name])
	}
	return nil
}

type walk struct{ lines map[string]string }

// message returns the name of a message whose line is written: of the group, of the version where it is not the first, and
// of the type.
func (w *walk) message(of reflect.Type) (string, error) {
	path := strings.Split(of.PkgPath(), "/")
	version := path[len(path)-1]
	if version == "v1" {
		version = ""
	}
	name := path[len(path)-2] + version + "." + of.Name()
	if _, done := w.lines[name]; done {
		return name, nil
	}
	w.lines[name] = ""
	line := ""
	for at := range of.NumField() {
		field := of.Field(at)
		tag := strings.Split(field.Tag.Get("protobuf"), ",")
		if len(tag) < 2 {
			continue
		}
		json, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		kind, err := w.kind(field.Type)
		if err != nil {
			return "", fmt.Errorf("%s.%s: %w", name, field.Name, err)
		}
		switch {
		case strings.Contains(options, "inline"):
			json = "-"
		case json == "":
			json = field.Name
		}
		// What is always written, also when it is empty, is there in JSON only if that says so as well.
		if strings.Contains(options, "omitempty") && field.Type.Kind() != reflect.Pointer {
			kind += "?"
		}
		line += fmt.Sprintf(" %s %s %s", tag[1], json, kind)
	}
	w.lines[name] = line
	return name, nil
}

func (w *walk) kind(of reflect.Type) (string, error) {
	if name, found := special[of]; found {
		return name, nil
	}
	items := func(prefix string, of reflect.Type) (string, error) {
		kind, err := w.kind(of)
		return prefix + kind, err
	}
	if oneOf[of] {
		message, err := w.message(of)
		return "|" + message, err
	}
	switch of.Kind() {
	case reflect.Pointer:
		return w.kind(of.Elem())
	case reflect.String:
		return "text", nil
	case reflect.Bool:
		return "bool", nil
	case reflect.Int32, reflect.Int64:
		return "int", nil
	case reflect.Float64:
		return "float", nil
	case reflect.Map:
		return items("{}", of.Elem())
	case reflect.Slice:
		if of.Elem().Kind() == reflect.Uint8 {
			return "bytes", nil
		}
		// A list with a form of its own is a message of one field.
		if reflect.PointerTo(of).Implements(reflect.TypeFor[interface{ Marshal() ([]byte, error) }]()) {
			return items("()", of.Elem())
		}
		return items("[]", of.Elem())
	case reflect.Struct:
		if reflect.PointerTo(of).Implements(reflect.TypeFor[json.Marshaler]()) {
			return "", fmt.Errorf("%s writes its own JSON", of)
		}
		return w.message(of)
	}
	return "", fmt.Errorf("%s is of no kind that messages have", of)
}

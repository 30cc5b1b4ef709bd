//! The messages that are read (upstream: `k8s.io/api`, each group's `generated.proto`).

use super::{
    Message,
    Type::{self, Bool, Bytes, Integer, List, Map, Text, Time, Wrapped},
};

const META: Type = Type::Message(&OBJECT_META);
const TEXTS: Type = List(&Text);
/// From texts to lists of texts.
const EXTRA: Type = Map(&Wrapped(&Text));

pub(super) static TYPE_META: Message = Message(&[(1, "apiVersion", Text), (2, "kind", Text)]);

const AUTHENTICATION: &str = "authentication.k8s.io/v1";
const AUTHORIZATION: &str = "authorization.k8s.io/v1";
const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// `apiVersion`, `kind` and how it is read. Statuses are for the server to say and are skipped.
pub(super) static KINDS: &[(&str, &str, Message)] = &[
    (
        "v1",
        "ConfigMap",
        Message(&[
            (1, "metadata", META),
            (2, "data", Map(&Text)),
            (3, "binaryData", Map(&Bytes)),
            (4, "immutable", Bool),
        ]),
    ),
    (
        "v1",
        "Secret",
        Message(&[
            (1, "metadata", META),
            (2, "data", Map(&Bytes)),
            (3, "type", Text),
            (4, "stringData", Map(&Text)),
            (5, "immutable", Bool),
        ]),
    ),
    ("v1", "Namespace", Message(&[(1, "metadata", META), (2, "spec", Type::Message(&NAMESPACE_SPEC))])),
    (
        "v1",
        "ServiceAccount",
        Message(&[
            (1, "metadata", META),
            (2, "secrets", List(&Type::Message(&OBJECT_REFERENCE))),
            (3, "imagePullSecrets", List(&Type::Message(&LOCAL_OBJECT_REFERENCE))),
            (4, "automountServiceAccountToken", Bool),
        ]),
    ),
    (AUTHENTICATION, "SelfSubjectReview", Message(&[(1, "metadata", META)])),
    (
        AUTHENTICATION,
        "TokenRequest",
        Message(&[(1, "metadata", META), (2, "spec", Type::Message(&TOKEN_REQUEST_SPEC))]),
    ),
    (
        AUTHENTICATION,
        "TokenReview",
        Message(&[(1, "metadata", META), (2, "spec", Type::Message(&TOKEN_REVIEW_SPEC))]),
    ),
    (
        AUTHORIZATION,
        "LocalSubjectAccessReview",
        Message(&[(1, "metadata", META), (2, "spec", Type::Message(&ACCESS_REVIEW_SPEC))]),
    ),
    (
        AUTHORIZATION,
        "SelfSubjectAccessReview",
        Message(&[(1, "metadata", META), (2, "spec", Type::Message(&ACCESS_REVIEW_SPEC))]),
    ),
    (
        AUTHORIZATION,
        "SelfSubjectRulesReview",
        Message(&[(1, "metadata", META), (2, "spec", Type::Message(&RULES_REVIEW_SPEC))]),
    ),
    (
        AUTHORIZATION,
        "SubjectAccessReview",
        Message(&[(1, "metadata", META), (2, "spec", Type::Message(&ACCESS_REVIEW_SPEC))]),
    ),
    (
        RBAC,
        "ClusterRole",
        Message(&[
            (1, "metadata", META),
            (2, "rules", List(&Type::Message(&POLICY_RULE))),
            (3, "aggregationRule", Type::Message(&AGGREGATION_RULE)),
        ]),
    ),
    (RBAC, "Role", Message(&[(1, "metadata", META), (2, "rules", List(&Type::Message(&POLICY_RULE)))])),
    (RBAC, "ClusterRoleBinding", Message(BINDING)),
    (RBAC, "RoleBinding", Message(BINDING)),
];

const BINDING: &[(u64, &str, Type)] = &[
    (1, "metadata", META),
    (2, "subjects", List(&Type::Message(&SUBJECT))),
    (3, "roleRef", Type::Message(&ROLE_REF)),
];

/// Without the generation, which is written as 0 where there is none, and the server's to count.
static OBJECT_META: Message = Message(&[
    (1, "name", Text),
    (2, "generateName", Text),
    (3, "namespace", Text),
    (5, "uid", Text),
    (6, "resourceVersion", Text),
    (8, "creationTimestamp", Time),
    (9, "deletionTimestamp", Time),
    (10, "deletionGracePeriodSeconds", Integer),
    (11, "labels", Map(&Text)),
    (12, "annotations", Map(&Text)),
    (13, "ownerReferences", List(&Type::Message(&OWNER_REFERENCE))),
    (14, "finalizers", TEXTS),
]);

static OWNER_REFERENCE: Message = Message(&[
    (1, "kind", Text),
    (3, "name", Text),
    (4, "uid", Text),
    (5, "apiVersion", Text),
    (6, "controller", Bool),
    (7, "blockOwnerDeletion", Bool),
]);

static NAMESPACE_SPEC: Message = Message(&[(1, "finalizers", TEXTS)]);

static OBJECT_REFERENCE: Message = Message(&[
    (1, "kind", Text),
    (2, "namespace", Text),
    (3, "name", Text),
    (4, "uid", Text),
    (5, "apiVersion", Text),
    (6, "resourceVersion", Text),
    (7, "fieldPath", Text),
]);

static LOCAL_OBJECT_REFERENCE: Message = Message(&[(1, "name", Text)]);

static TOKEN_REQUEST_SPEC: Message = Message(&[
    (1, "audiences", TEXTS),
    (3, "boundObjectRef", Type::Message(&BOUND_OBJECT_REFERENCE)),
    (4, "expirationSeconds", Integer),
]);

static BOUND_OBJECT_REFERENCE: Message =
    Message(&[(1, "kind", Text), (2, "apiVersion", Text), (3, "name", Text), (4, "uid", Text)]);

static TOKEN_REVIEW_SPEC: Message = Message(&[(1, "token", Text), (2, "audiences", TEXTS)]);

/// Of one's own rights the first two fields.
static ACCESS_REVIEW_SPEC: Message = Message(&[
    (1, "resourceAttributes", Type::Message(&RESOURCE_ATTRIBUTES)),
    (2, "nonResourceAttributes", Type::Message(&NON_RESOURCE_ATTRIBUTES)),
    (3, "user", Text),
    (4, "groups", TEXTS),
    (5, "extra", EXTRA),
    (6, "uid", Text),
]);

static RESOURCE_ATTRIBUTES: Message = Message(&[
    (1, "namespace", Text),
    (2, "verb", Text),
    (3, "group", Text),
    (4, "version", Text),
    (5, "resource", Text),
    (6, "subresource", Text),
    (7, "name", Text),
    (8, "fieldSelector", Type::Message(&SELECTOR_ATTRIBUTES)),
    (9, "labelSelector", Type::Message(&SELECTOR_ATTRIBUTES)),
]);

static SELECTOR_ATTRIBUTES: Message =
    Message(&[(1, "rawSelector", Text), (2, "requirements", List(&Type::Message(&REQUIREMENT)))]);

static REQUIREMENT: Message = Message(&[(1, "key", Text), (2, "operator", Text), (3, "values", TEXTS)]);

static NON_RESOURCE_ATTRIBUTES: Message = Message(&[(1, "path", Text), (2, "verb", Text)]);

static RULES_REVIEW_SPEC: Message = Message(&[(1, "namespace", Text)]);

static POLICY_RULE: Message = Message(&[
    (1, "verbs", TEXTS),
    (2, "apiGroups", TEXTS),
    (3, "resources", TEXTS),
    (4, "resourceNames", TEXTS),
    (5, "nonResourceURLs", TEXTS),
]);

static AGGREGATION_RULE: Message =
    Message(&[(1, "clusterRoleSelectors", List(&Type::Message(&LABEL_SELECTOR)))]);

static LABEL_SELECTOR: Message =
    Message(&[(1, "matchLabels", Map(&Text)), (2, "matchExpressions", List(&Type::Message(&REQUIREMENT)))]);

static SUBJECT: Message =
    Message(&[(1, "kind", Text), (2, "apiGroup", Text), (3, "name", Text), (4, "namespace", Text)]);

static ROLE_REF: Message = Message(&[(1, "apiGroup", Text), (2, "kind", Text), (3, "name", Text)]);

use std::fs;

use super::*;

/// A home with these files; `{}` in a variable is its path.
struct Home(tempfile::TempDir);

impl Home {
    fn with(files: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        for (name, context) in files {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, kubeconfig(context)).unwrap();
        }
        Self(home)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn environment(&self) -> Environment {
        Environment { home: Some(self.0.path().to_owned()), ..Environment::default() }
    }
}

/// A kubeconfig whose contexts lead to servers of their names. The one in brackets is current.
fn kubeconfig(contexts: &str) -> String {
    let plain: Vec<&str> = contexts.split(' ').map(|name| name.trim_matches(['[', ']'])).collect();
    let current =
        contexts.split(' ').find(|name| name.starts_with('[')).unwrap_or_default().trim_matches(['[', ']']);
    let clusters: String = plain
        .iter()
        .map(|name| format!("- name: {name}\n  cluster: {{server: 'http://{name}'}}\n"))
        .collect();
    let contexts: String = plain
        .iter()
        .map(|name| format!("- name: {name}\n  context: {{cluster: {name}, namespace: {name}-ns}}\n"))
        .collect();
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n{clusters}contexts:\n{contexts}current-context: '{current}'\n"
    )
}

async fn server(global: &Global, environment: &Environment) -> Result<String, Error> {
    configure(global, environment)
        .await
        .map(|config| config.cluster_url.host().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_first_place_that_says_something_counts() {
    const DATA: &str = ".local/share/ebb/kubeconfig";
    let none = Global::default();
    let check = async |files: &[(&str, &str)], global: &Global, expect: &str| {
        let home = Home::with(files);
        assert_eq!(server(global, &home.environment()).await.unwrap(), expect, "{files:?}");
    };
    check(&[(DATA, "[data]")], &none, "data").await;
    // A command for this machine must not reach whatever cluster was used last.
    check(&[(".kube/config", "[prod] dev"), (DATA, "[data]")], &none, "data").await;
    check(&[(".kube/config", "[prod] dev")], &none, "prod").await;
    check(&[(".kube/config", "[prod] ebb"), (DATA, "[data]")], &none, "ebb").await;
    check(&[(".kube/config", "prod dev"), (DATA, "[data]")], &none, "data").await;
    let dev = Global { context: Some("dev".into()), ..Global::default() };
    check(&[(".kube/config", "[prod] dev ebb")], &dev, "dev").await;
}

#[tokio::test]
async fn a_file_that_is_named_counts_before_all_others() {
    let home = Home::with(&[(".kube/config", "[prod] ebb"), ("one", "[first] ebb"), ("two", "[second]")]);
    let mut environment = home.environment();
    environment.kubeconfig =
        Some(std::env::join_paths([home.path("absent"), home.path("one"), home.path("two")]).unwrap());
    assert_eq!(server(&Global::default(), &environment).await.unwrap(), "first");
    let second = Global { context: Some("second".into()), ..Global::default() };
    assert_eq!(server(&second, &environment).await.unwrap(), "second");
    let named = Global { kubeconfig: Some(home.path("two")), ..Global::default() };
    assert_eq!(server(&named, &environment).await.unwrap(), "second");
}

#[tokio::test]
async fn the_namespace_is_the_options_or_the_contexts() {
    let home = Home::with(&[(".kube/config", "[prod]")]);
    let namespace = async |namespace: Option<&str>| {
        let global = Global { namespace: namespace.map(str::to_owned), ..Global::default() };
        configure(&global, &home.environment()).await.unwrap().default_namespace
    };
    assert_eq!(namespace(None).await, "prod-ns");
    assert_eq!(namespace(Some("mine")).await, "mine");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let home = Home::with(&[]);
    let environment = Environment { kubeconfig: Some(home.path("absent").into()), ..home.environment() };
    let missing = server(&Global::default(), &environment).await.unwrap_err();
    assert_eq!(
        missing.to_string(),
        format!("found no kubeconfig: looked at {}", home.path("absent").display())
    );
    assert_eq!(
        missing.advice().unwrap(),
        "start Ebb with `ebb up`; one that has its own --data-dir DIR is meant by --kubeconfig DIR/kubeconfig"
    );

    let home = Home::with(&[(".kube/config", "[prod]")]);
    let unknown = Global { context: Some("nope".into()), ..Global::default() };
    let error = server(&unknown, &home.environment()).await.unwrap_err();
    let path = home.path(".kube/config");
    let expect =
        format!("cannot use the kubeconfig {}: failed to load current context: nope", path.display());
    assert_eq!(error.to_string(), expect);
}

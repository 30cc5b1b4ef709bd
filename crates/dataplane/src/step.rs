//! What a layer of the request path is.

use std::future::Future;

/// One layer of the request path: a service that is asked by reference and answers without a box.
///
/// It is tower's `Service` without `poll_ready` and with an unnamed future: readiness here is a matter of one
/// request and one instance, never of the stack. Layers are joined with tower's builder.
pub(crate) trait Step<Input>: Send + Sync {
    type Output;
    type Error;

    fn call(&self, input: Input) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

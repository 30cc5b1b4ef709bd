//! How a command ended, as the error channel tells it (upstream: cri/streaming, `remotecommand.ServeExec`).

use objects::Error;
use serde_json::{Value, json};

use crate::status::Failure;

/// Of a command that ran, by its exit code, or of one that did not.
pub(super) fn status(command: &[String], outcome: Result<i32, Error>) -> Value {
    match outcome {
        Ok(0) => json!({ "metadata": {}, "status": "Success" }),
        Ok(code) => json!({
            "metadata": {},
            "status": "Failure",
            "message": format!(
                "command terminated with non-zero exit code: error executing command [{}], exit code {code}",
                command.join(" ")
            ),
            "reason": "NonZeroExitCode",
            "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] },
        }),
        Err(error) => Failure::from(error).to_status(),
    }
}

/// Of one that this server ends, since it ends itself.
pub(super) fn draining() -> Value {
    Failure::unavailable("the API server is shutting down, and has ended the command").to_status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_is_a_cause() {
        let command = ["sh".to_owned(), "-c".to_owned(), "exit 7".to_owned()];
        let failed = status(&command, Ok(7));
        assert_eq!(failed["reason"], "NonZeroExitCode");
        assert_eq!(failed["details"]["causes"], json!([{ "reason": "ExitCode", "message": "7" }]));
        let said =
            "command terminated with non-zero exit code: error executing command [sh -c exit 7], exit code 7";
        assert_eq!(failed["message"], said);
        assert_eq!(status(&command, Ok(0)), json!({ "metadata": {}, "status": "Success" }));
        let absent = status(&command, Err(Error::Internal("container not found (\"c\")".to_owned())));
        assert_eq!((&absent["reason"], &absent["code"]), (&json!("InternalError"), &json!(500)));
        assert_eq!(absent["message"], "Internal error occurred: container not found (\"c\")");
    }
}

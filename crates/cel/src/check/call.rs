//! Which function a call is of, and which of its overloads it may be.

use super::Checker;
use crate::{
    functions::{Function, function},
    kind::Type,
    syntax::{Call, Expr},
};

impl Checker<'_> {
    pub(super) fn of_call(&mut self, at: usize, call: &mut Call) -> Type {
        call.args.iter_mut().for_each(|arg| self.check(arg));
        // What looks like a call of something's function may be one of a function whose name has dots.
        let dotted = call.target.as_ref().and_then(Expr::qualified);
        let dotted = dotted.map(|target| format!("{target}.{}", call.name));
        if let Some(found) = dotted.and_then(|name| function(&name)) {
            call.name = found.name.to_owned();
            call.target = None;
        } else if let Some(target) = &mut call.target {
            self.check(target);
        }
        let Some(found) = function(&call.name) else {
            let name = call.name.clone();
            self.undeclared(at, &name);
            return Type::Error;
        };
        call.function = Some(found);
        match call.name.as_str() {
            "_&&_" | "_||_" => self.of_logic(call),
            _ => self.overloads(at, found, call),
        }
    }

    fn of_logic(&mut self, call: &Call) -> Type {
        let mut of = Type::Bool;
        for arg in &call.args {
            if !self.types.assignable([(&arg.of, &Type::Bool)]) {
                let found = arg.of.clone();
                self.mismatch(arg.at, &Type::Bool, &found);
                of = Type::Error;
            }
        }
        of
    }

    fn overloads(&mut self, at: usize, function: &'static Function, call: &mut Call) -> Type {
        let given: Vec<&Expr> = call.target.iter().chain(&call.args).collect();
        let mut result: Option<Type> = None;
        let mut found = Vec::new();
        for overload in &function.overloads {
            if overload.member != call.target.is_some() || overload.args.len() != given.len() {
                continue;
            }
            let mut fresh = Vec::new();
            let wanted: Vec<Type> =
                overload.args.iter().map(|arg| self.types.instantiate(arg, &mut fresh)).collect();
            let pairs = given.iter().map(|arg| &arg.of).zip(&wanted);
            if !self.types.assignable(pairs) {
                continue;
            }
            found.push(overload.id);
            let own = self.types.instantiate(&overload.result, &mut fresh);
            let own = self.types.resolve(&own, false);
            result = Some(match result {
                None => own,
                Some(result) if result == Type::Dyn || result == own => result,
                Some(_) => Type::Dyn,
            });
        }
        let Some(result) = result else {
            let mut types = given.iter().map(|arg| self.types.resolve(&arg.of, true).to_string());
            let applied = match call.target.is_some().then(|| types.next().unwrap_or_default()) {
                Some(target) => format!("{target}.({})", types.collect::<Vec<_>>().join(", ")),
                None => format!("({})", types.collect::<Vec<_>>().join(", ")),
            };
            let name = function.name;
            self.wrong(at, format!("found no matching overload for '{name}' applied to '{applied}'"));
            return Type::Error;
        };
        call.overloads = found;
        result
    }
}

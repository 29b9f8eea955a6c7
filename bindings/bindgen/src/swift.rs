//! What is changed in the generated Swift, which UniFFI (0.32) leaves short of what Kotlin has.
//!
//! - A cancelled task gives up its call, in Rust too. UniFFI's Swift waits on regardless, though the library can cancel.
//! - `localizedDescription`, which is what Swift shows of an error, is the sentence for a person.
//! - The module map names modules of Darwin, which are nowhere else.
//!
//! Each change looks for the very text that it replaces: a UniFFI that writes it otherwise is noticed at once.

use std::fs;
use std::io::{Error, Result};
use std::path::Path;

/// What is to be found, and what stands there instead.
type Change<'a> = (&'a str, &'a str);

const CANCELLED: Change =
    ("            fatalError(\"Cancellation not supported yet\")", "            throw CancellationError()");

const SIGNATURE: Change = (
    "    completeFunc: (UInt64, UnsafeMutablePointer<RustCallStatus>) -> F,\n    freeFunc: (UInt64) -> (),",
    "    completeFunc: (UInt64, UnsafeMutablePointer<RustCallStatus>) -> F,\n    \
     cancelFunc: @escaping @Sendable (UInt64) -> (),\n    freeFunc: (UInt64) -> (),",
);

const FREE: Change = (
    "    defer {\n        freeFunc(rustFuture)\n    }\n",
    "    let call = CancellableCall(rustFuture, cancelFunc)\n    \
     defer {\n        call.end()\n        freeFunc(rustFuture)\n    }\n",
);

const POLL: Change = (
    "        pollResult = await withUnsafeContinuation {
            pollFunc(
                rustFuture,
                { handle, pollResult in
                    uniffiFutureContinuationCallback(handle: handle, pollResult: pollResult)
                },
                uniffiContinuationHandleMap.insert(obj: $0)
            )
        }
",
    "        pollResult = await withTaskCancellationHandler {
            await withUnsafeContinuation {
                pollFunc(
                    rustFuture,
                    { handle, pollResult in
                        uniffiFutureContinuationCallback(handle: handle, pollResult: pollResult)
                    },
                    uniffiContinuationHandleMap.insert(obj: $0)
                )
            }
        } onCancel: {
            call.cancel()
        }
",
);

/// A task may be cancelled while its call ends: the future is never touched after it was freed.
const CANCELLABLE_CALL: &str = "
private final class CancellableCall: @unchecked Sendable {
    private let lock = NSLock()
    private var rustFuture: UInt64?
    private let cancelFunc: @Sendable (UInt64) -> ()

    init(_ rustFuture: UInt64, _ cancelFunc: @escaping @Sendable (UInt64) -> ()) {
        self.rustFuture = rustFuture
        self.cancelFunc = cancelFunc
    }

    func cancel() {
        lock.withLock { if let rustFuture { cancelFunc(rustFuture) } }
    }

    func end() {
        lock.withLock { rustFuture = nil }
    }
}
";

const DESCRIPTION: Change = ("        String(reflecting: self)\n", "        description\n");

/// Changes all that was generated into a directory.
pub fn finish(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let finished = match path.extension().and_then(|extension| extension.to_str()) {
            Some("swift") => finish_source(fs::read_to_string(&path)?),
            Some("modulemap") => Ok(finish_module_map(&fs::read_to_string(&path)?)),
            _ => continue,
        };
        let finished = finished.map_err(|error| Error::other(format!("{}: {error}", path.display())))?;
        fs::write(&path, finished)?;
    }
    Ok(())
}

fn finish_source(mut source: String) -> std::result::Result<String, String> {
    if source.contains("errorDescription") {
        replace(&mut source, DESCRIPTION)?;
    }
    if !source.contains("func uniffiRustCallAsync<") {
        return Ok(source);
    }
    if source.contains("try!  await") {
        return Err("an async call that cannot throw could not be cancelled".to_owned());
    }
    for change in [CANCELLED, SIGNATURE, FREE, POLL] {
        replace(&mut source, change)?;
    }
    let (calls, source) = with_cancel(&source);
    match source.matches("await uniffiRustCallAsync(").count() {
        sites if sites == calls => Ok(source + CANCELLABLE_CALL),
        sites => Err(format!("{sites} async calls, {calls} of them changed")),
    }
}

fn replace(source: &mut String, (old, new): Change) -> std::result::Result<(), String> {
    if !source.contains(old) {
        return Err(format!("UniFFI no longer writes\n{old}"));
    }
    *source = source.replace(old, new);
    Ok(())
}

/// Names, beside the function that frees a call's future, the one that cancels it. Says how many there were.
fn with_cancel(source: &str) -> (usize, String) {
    let mut calls = 0;
    let mut finished = String::with_capacity(source.len());
    for line in source.split_inclusive('\n') {
        if line.trim_start().starts_with("freeFunc: ffi_") {
            calls += 1;
            let cancel = line.replace("freeFunc: ", "cancelFunc: { ").replace("_free_", "_cancel_");
            finished += &cancel.replace(",\n", "($0) },\n");
        }
        finished += line;
    }
    (calls, finished)
}

/// Without the modules that Darwin alone has.
fn finish_module_map(map: &str) -> String {
    map.split_inclusive('\n').filter(|line| !line.trim_start().starts_with("use ")).collect()
}

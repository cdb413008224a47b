;; Imports from WASI what is not there, what has another type, and a version that is not offered.
(module
  (import "wasi_snapshot_preview1" "fd_open" (func (param i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func (param i64)))
  (import "wasi_unstable" "proc_exit" (func (param i32)))
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32) (i32.const 0)))

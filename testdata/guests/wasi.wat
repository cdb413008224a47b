;; Imports from WASI.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32) (i32.const 0)))

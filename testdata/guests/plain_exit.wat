;; Ends in _initialize.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (global $runs (mut i32) (i32.const 0))
  (func (export "_initialize")
    (call $exit (i32.const 3))
    (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
  (func (export "negotiate") (result i32) (i32.sub (global.get $runs) (i32.const 1))))

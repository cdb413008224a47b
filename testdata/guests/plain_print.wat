;; Prints in _initialize.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $runs (mut i32) (i32.const 0))
  (data (i32.const 0) "\08\00\00\00\03\00\00\00hi\n")
  (func (export "_initialize")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
    (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
  (func (export "negotiate") (result i32) (i32.sub (global.get $runs) (i32.const 1))))

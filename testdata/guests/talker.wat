;; A policy that would read what the client says.
(module
  (import "stunnel1" "log" (func $log (param i32 i32 i32)))
  (import "stunnel1" "read_line" (func $read_line (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "decide") (result i32)
    (call $log (i32.const 7) (i32.const 0) (i32.const 0))
    (call $read_line (i32.const 0) (i32.const 0) (i32.const 100))))

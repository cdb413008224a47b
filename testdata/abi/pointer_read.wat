;; Reads past the end of its memory.
(module
  (import "stunnel1" "read" (func $read (param i32 i32 i32) (result i32)))
  (import "stunnel1" "fail" (func $fail (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32)
    (drop (call $read (i32.const 0) (i32.const 65530) (i32.const 7)))
    (i32.const 0)))

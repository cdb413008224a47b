;; Chooses a target that nothing allows, and another, and connects without end.
(module
  (import "stunnel1" "set_target" (func $set_target (param i32 i32) (result i32)))
  (import "stunnel1" "resolve" (func $resolve (param i32 i32 i32 i32) (result i32)))
  (import "stunnel1" "connect" (func $connect (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "127.0.0.1:22")
  (func $dial (export "negotiate") (result i32)
    (loop $again
      (drop (call $set_target (i32.const 0) (i32.const 12)))
      (drop (call $resolve (i32.const 0) (i32.const 9) (i32.const 100) (i32.const 100)))
      (br_if $again (call $connect)))
    (i32.const 0)))

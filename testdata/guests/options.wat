;; Refuses a configuration whose guestOption "x" is set, with its value; without it returns
;; what connect said, which does not work here.
(module
  (import "stunnel1" "config" (func $config (param i32 i32 i32 i32) (result i32)))
  (import "stunnel1" "connect" (func $connect (result i32)))
  (import "stunnel1" "log" (func $log (param i32 i32 i32)))
  (import "stunnel1" "fail" (func $fail (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "option.x")
  (func (export "configure") (result i32)
    (local $n i32)
    (local.set $n (call $config (i32.const 0) (i32.const 8) (i32.const 64) (i32.const 64)))
    (if (i32.lt_s (local.get $n) (i32.const 0)) (then (return (call $connect))))
    (call $log (i32.const 4) (i32.const 64) (local.get $n))
    (call $fail (i32.const 1) (i32.const 64) (local.get $n))
    (i32.const 1))
  (func (export "negotiate") (result i32) (i32.const 0)))

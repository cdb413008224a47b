;; Logs 1,000 lines of 1,000 line feeds each, and hands over.
(module
  (import "stunnel1" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32)
    (local $n i32)
    (memory.fill (i32.const 0) (i32.const 10) (i32.const 1000))
    (loop $again
      (call $log (i32.const 6) (i32.const 0) (i32.const 1000))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 1000))))
    (i32.const 0)))

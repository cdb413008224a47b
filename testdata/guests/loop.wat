;; Spins for ever, after it said so.
(module
  (import "stunnel1" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "spinning")
  (func $spin (export "negotiate") (result i32)
    (call $log (i32.const 6) (i32.const 0) (i32.const 8))
    (loop $again (br $again))
    (i32.const 0)))

;; Traps, three calls deep.
(module
  (memory (export "memory") 1)
  (func $inner (unreachable))
  (func $middle (call $inner))
  (func $negotiate (export "negotiate") (result i32) (call $middle) (i32.const 0)))

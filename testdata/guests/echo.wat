;; A well-behaved guest: writes the first line of the accepted side back and hands over.
(module
  (import "stunnel1" "read_line" (func $read_line (param i32 i32 i32) (result i32)))
  (import "stunnel1" "write" (func $write (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $negotiate (export "negotiate") (result i32)
    (local $n i32)
    (local.set $n (call $read_line (i32.const 0) (i32.const 0) (i32.const 512)))
    (if (i32.lt_s (local.get $n) (i32.const 0)) (then (return (local.get $n))))
    (if (i32.ne (call $write (i32.const 0) (i32.const 0) (local.get $n)) (local.get $n))
      (then (return (i32.const -1))))
    (i32.const 0)))

;; Tells which conversation it is called for, and has one of its own for clients alone.
(module
  (import "stunnel1" "write" (func $write (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "either\n")
  (data (i32.const 32) "client\n")
  (func $say (param $at i32) (result i32)
    (drop (call $write (i32.const 0) (local.get $at) (i32.const 7)))
    (i32.const 0))
  (func (export "negotiate") (result i32) (call $say (i32.const 0)))
  (func (export "negotiate_client") (result i32) (call $say (i32.const 32))))

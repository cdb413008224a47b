;; Tells which of its three conversations it is called for.
(module
  (import "stunnel1" "write" (func $write (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "neither\n")
  (data (i32.const 16) "server\n")
  (data (i32.const 32) "client\n")
  (func $say (param $at i32) (param $length i32) (result i32)
    (drop (call $write (i32.const 0) (local.get $at) (local.get $length)))
    (i32.const 0))
  (func (export "negotiate") (result i32) (call $say (i32.const 0) (i32.const 8)))
  (func (export "negotiate_server") (result i32) (call $say (i32.const 16) (i32.const 7)))
  (func (export "negotiate_client") (result i32) (call $say (i32.const 32) (i32.const 7))))

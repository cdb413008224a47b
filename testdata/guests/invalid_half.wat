;; Its half for client mode does not type-check.
(module
  (memory (export "memory") 1)
  (func (export "negotiate_server") (result i32) (i32.const 0))
  (func (export "negotiate_client") (result i32) (i64.const 0)))

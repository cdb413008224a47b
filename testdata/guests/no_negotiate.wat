;; Exports no negotiate.
(module
  (memory (export "memory") 1)
  (func (export "negociate") (result i32) (i32.const 0)))

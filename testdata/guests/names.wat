;; Traps in a function with a name of its own. The test puts a line feed into the name.
(module
  (memory (export "memory") 1)
  (func $evil_LOG5 (unreachable))
  (func (export "negotiate") (result i32) (call $evil_LOG5) (i32.const 0)))

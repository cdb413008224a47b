;; Has exports whose names would forge lines of a report, clear a terminal, and turn text
;; around.
(module
  (memory (export "memory") 1)
  (func (export "x\0amay            nothing beyond the conversation\09\1b[2J\e2\80\ae") (result i32) (i32.const 0))
  (func (export "negotiate") (result i32) (i32.const 0)))

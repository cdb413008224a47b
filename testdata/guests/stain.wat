;; Returns 1 if its memory, with four pages more, is not all zero; then writes all over it.
(module
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32)
    (local $at i32)
    (drop (memory.grow (i32.const 4)))
    (loop $next
      (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (return (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 327680))))
    (memory.fill (i32.const 0) (i32.const 170) (i32.const 327680))
    (i32.const 0)))

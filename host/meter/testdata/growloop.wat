;; Grows its table and its memory for ever.
(module
  (memory 1)
  (table $t 0 externref)
  (func (export "run") (result i32)
    (loop $l
      (br_if $l (i32.ne (table.grow $t (ref.null extern) (i32.const 10000)) (i32.const -1))))
    (table.size $t)))

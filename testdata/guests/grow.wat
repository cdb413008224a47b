;; Grows its memory until it gets no more; returns how many pages it has.
(module
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32)
    (loop $more
      (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (memory.size)))

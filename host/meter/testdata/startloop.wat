;; Never comes out of its start function.
(module
  (func $init (loop (br 0)))
  (start $init))

;; Never ends without a call.
(module
  (func $spin (export "run")
    (loop $l (br $l))))

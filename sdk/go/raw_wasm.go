//go:build wasm && !js

package stunnel

import "unsafe"

// The imports of stunnel1. One that a guest does not call is not linked.

//go:wasmimport stunnel1 read
func rawRead(side int32, buf unsafe.Pointer, size uint32) int32

//go:wasmimport stunnel1 read_full
func rawReadFull(side int32, buf unsafe.Pointer, size uint32) int32

//go:wasmimport stunnel1 read_line
func rawReadLine(side int32, buf unsafe.Pointer, room uint32) int32

//go:wasmimport stunnel1 peek
func rawPeek(side int32, buf unsafe.Pointer, size uint32) int32

//go:wasmimport stunnel1 write
func rawWrite(side int32, buf unsafe.Pointer, size uint32) int32

//go:wasmimport stunnel1 wait
func rawWait(mask, ms int32) int32

//go:wasmimport stunnel1 connect
func rawConnect() int32

//go:wasmimport stunnel1 set_target
func rawSetTarget(target unsafe.Pointer, size uint32) int32

//go:wasmimport stunnel1 resolve
func rawResolve(name unsafe.Pointer, size uint32, buf unsafe.Pointer, room uint32) int32

//go:wasmimport stunnel1 starttls
func rawStartTLS(side int32) int32

//go:wasmimport stunnel1 config
func rawConfig(key unsafe.Pointer, size uint32, buf unsafe.Pointer, room uint32) int32

//go:wasmimport stunnel1 secret
func rawSecret(key unsafe.Pointer, size uint32, buf unsafe.Pointer, room uint32) int32

//go:wasmimport stunnel1 info
func rawInfo(id int32, buf unsafe.Pointer, room uint32) int32

//go:wasmimport stunnel1 annotate
func rawAnnotate(key unsafe.Pointer, size uint32, value unsafe.Pointer, valueSize uint32) int32

//go:wasmimport stunnel1 log
func rawLog(level int32, text unsafe.Pointer, size uint32)

//go:wasmimport stunnel1 fail
func rawFail(class int32, text unsafe.Pointer, size uint32)

//go:wasmimport stunnel1 digest
func rawDigest(alg int32, key unsafe.Pointer, keySize uint32, text unsafe.Pointer, size uint32, buf unsafe.Pointer, room uint32) int32

//go:wasmimport stunnel1 random
func rawRandom(buf unsafe.Pointer, size uint32) int32

//go:wasmimport stunnel1 now
func rawNow() int64

//go:wasmimport stunnel1 set_alpn
func rawSetALPN(names unsafe.Pointer, size uint32) int32

//go:wasmimport stunnel1 fact
func rawFact(key unsafe.Pointer, size uint32, buf unsafe.Pointer, room uint32) int32

# Linux on 32-bit ARM with hardware floating point: Debian's cross compiler and its C library; programs run
# under qemu-user. PORTLS_SYSROOT names a directory with Debian's libraries for that machine, as
# cmake/debian-sysroot.cmake unpacks them; nothing of the build machine's own is ever found.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE arm-linux-gnueabihf)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm-static -L /usr/arm-linux-gnueabihf)
include("${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake")

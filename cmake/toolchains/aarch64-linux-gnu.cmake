# Linux on 64-bit ARM: Debian's cross compiler and its C library; programs run
# under qemu-user. PORTLS_SYSROOT names a directory with Debian's libraries for that machine, as
# cmake/debian-sysroot.cmake unpacks them; nothing of the build machine's own is ever found.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L /usr/aarch64-linux-gnu)
include("${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake")

# Linux on IBM Z, which is big-endian: Debian's cross compiler and its C library; programs run
# under qemu-user. PORTLS_SYSROOT names a directory with Debian's libraries for that machine, as
# cmake/debian-sysroot.cmake unpacks them; nothing of the build machine's own is ever found.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(CMAKE_C_COMPILER s390x-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE s390x-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-s390x-static -L /usr/s390x-linux-gnu)
include("${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake")

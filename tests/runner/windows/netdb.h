/* On Windows in one with the sockets. */
#include <sys/socket.h>

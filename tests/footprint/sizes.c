/* Arrays as long as what is looked for, so that `nm -S` tells it of the target: what the backend
   allocates for a connection beside wolfSSL's own, and the record buffer in a stream. */
#include "backends/wolfssl/wolfssl.h"

extern char size_of_session[], size_of_buffers[];
char size_of_session[sizeof(struct backend_session)];
char size_of_buffers[PORTLS_SEND_SIZE];

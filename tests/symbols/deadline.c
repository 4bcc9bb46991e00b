/* A deadline is not a number: compiled with BY_NUMBER this file has to be refused. */
#include "portls/portls.h"

#if BY_NUMBER
#define SOON 5000
#else
#define SOON portls_deadline_after(5000)
#endif

portls_status limit(portls_input_port *in);

portls_status limit(portls_input_port *in) {
    return portls_set_read_deadline(in, SOON, NULL);
}

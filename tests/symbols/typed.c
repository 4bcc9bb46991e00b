/* What the types refuse: with WRONG=1 and more this file must not compile. */
#include "portls/portls.h"

#if WRONG == 1
#define SOON 5000 /* milliseconds */
#else
#define SOON portls_deadline_after(5000)
#endif

#if WRONG == 2
#define SOURCE in /* a port, not a source made of it */
#elif WRONG == 3
#define SOURCE portls_source_output(in)
#elif WRONG == 4
#define SOURCE portls_source_input(context)
#else
#define SOURCE portls_source_input(in)
#endif

portls_status limit(portls_input_port *in, portls_context *context, portls_interest *interest);

portls_status limit(portls_input_port *in, portls_context *context, portls_interest *interest) {
    (void)context;
    portls_status status = portls_set_read_deadline(in, SOON, NULL);
    return status == PORTLS_OK ? portls_interest_of(SOURCE, interest, NULL) : status;
}

// A C++ program can include every public header and initialise every struct.
#include "portls/portls.h"
#include "portls/stdio.h"

portls_status begin(portls_input_port *in, portls_output_port *out, portls_interest *interest);

portls_status begin(portls_input_port *in, portls_output_port *out, portls_interest *interest) {
    static portls_deadline never = PORTLS_NO_DEADLINE_INIT;
    portls_allocator allocator = PORTLS_ALLOCATOR_INIT;
    portls_input_callbacks reading = PORTLS_INPUT_CALLBACKS_INIT;
    portls_output_callbacks writing = PORTLS_OUTPUT_CALLBACKS_INIT;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    portls_event event = {portls_source_output(out), false};
    (void)allocator;
    (void)reading;
    (void)writing;
    (void)options;
    portls_status status = portls_sync(&event, 1, never, nullptr, nullptr);
    return status == PORTLS_OK ? portls_interest_of(portls_source_input(in), interest, nullptr)
                               : status;
}

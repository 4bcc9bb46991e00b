/* The bare build has no listeners: no handle is one, so none of these functions is called. */
#include "core/net/listener.h"

bool listener_ready(portls_listener *listener) {
    (void)listener;
    return false;
}

void listener_begin_wait(portls_listener *listener, struct wait_set *set) {
    (void)listener;
    (void)set;
}

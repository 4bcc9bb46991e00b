/* Filling a context with what the command line names. */
#include "tool.h"

int tool_load_identity(const char *command, portls_context *context, const char *certificate,
                       const char *key) {
    portls_error error;
    if (portls_load_identity(context, certificate, key != NULL ? key : certificate, &error) !=
        PORTLS_OK) {
        return tool_fail(command, &error);
    }
    return TOOL_OK;
}

int tool_load_roots(const char *command, portls_context *context, const struct tool_files *roots,
                    size_t first) {
    portls_error error;
    for (size_t i = first; i < roots->count; i++) {
        if (portls_load_verify_root_certificates(context, roots->path[i], &error) != PORTLS_OK) {
            return tool_fail(command, &error);
        }
    }
    return TOOL_OK;
}

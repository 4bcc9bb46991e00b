#include_next <user_settings.h>

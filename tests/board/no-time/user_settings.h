#include_next <user_settings.h>
#undef XTIME

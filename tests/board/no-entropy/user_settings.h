#include_next <user_settings.h>
#undef CUSTOM_RAND_GENERATE_SEED

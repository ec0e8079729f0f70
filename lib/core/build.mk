# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,core,hdf5 libcjson libcurl libcrypto libutf8proc popt))

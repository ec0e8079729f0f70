# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-datasets,datasets,grade core liballot,zlib libzstd))

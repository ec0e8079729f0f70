# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-run,run,lib/decide lib/engine lib/methods lib/extract lib/grade lib/net lib/store lib/core liballot,))

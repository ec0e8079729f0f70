# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-run,run,engine grade core liballot,))

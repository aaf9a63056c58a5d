# SPDX-License-Identifier: GPL-2.0-or-later
# Two stages: one builds the package, the other has only what runs. README says how to run the image.
ARG BASE=docker.io/library/debian:12-slim

FROM ${BASE} AS build
COPY . /src
WORKDIR /src
RUN scripts/install-packages build package \
 && cmake --preset release -DXDPFLOWD_TESTS=OFF -DXDPFLOWD_BENCH=OFF \
 && cmake --build build/release \
 && cpack -G DEB --config build/release/CPackConfig.cmake -B /package

FROM ${BASE}
RUN --mount=type=bind,from=build,source=/package,target=/package \
    apt-get update \
 && apt-get install --yes --no-install-recommends /package/xdpflowd_*.deb \
 && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["/usr/sbin/xdpflowd"]
CMD ["--config", "/etc/xdpflowd/xdpflowd.toml"]

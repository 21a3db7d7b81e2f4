# Stage 1: a virtual environment with the locked dependencies and the program.
FROM python:3.13-slim AS build
WORKDIR /src
# For strip, below; and a font.
RUN apt-get update && apt-get install -y --no-install-recommends binutils fonts-noto-color-emoji
RUN python -m venv /opt/channelwatch
ENV PATH=/opt/channelwatch/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_COMPILE=0 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY build.lock requirements.lock ukrainian.lock mcp.lock ots.lock ./
RUN pip install --require-hashes -r build.lock && pip install --require-hashes --no-build-isolation -r requirements.lock
# UKRAINIAN=1 adds the forms of Ukrainian words, whose data are under the GPLv3.
ARG UKRAINIAN=
# MCP=1 adds what `channelwatch mcp` needs.
ARG MCP=
# OTS=1 adds OpenTimestamps, 13 MB, of which two packages are under the LGPLv3.
ARG OTS=
RUN for extra in ${UKRAINIAN:+ukrainian} ${MCP:+mcp} ${OTS:+ots}; do \
        pip install --require-hashes --no-build-isolation -r $extra.lock || exit 1; \
    done
COPY . .
RUN pip install --no-deps --no-build-isolation .
# A third of that is never used: what installs, compiles and tests the packages, symbols for debuggers (libraries in *.libs were patched,
# which strip may break), languages that the program does not speak, and of fontTools all but the names of glyphs.
RUN pip uninstall --quiet --yes setuptools setuptools-scm vcs-versioning pip && cd /opt/channelwatch/lib/python3*/site-packages && \
    find . -type d -name tests -prune -exec rm -r {} + && \
    find . -type f -regex ".*\.\([acho]\|pyi\|pyx\|pxd\|cpp\|hpp\)" -delete && \
    find . -name "*.so" ! -path "./*.libs/*" -exec strip --strip-unneeded {} + && \
    find babel/locale-data -name "*.dat" ! -name root.dat ! -name en.dat ! -name ru.dat ! -name uk.dat -delete && \
    find fontTools -mindepth 1 -maxdepth 1 -type d ! -name misc -exec rm -r {} +
# Compiled without the times of files, which layers may round: each start, and each check of its health, would compile it all again.
RUN python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash /opt/channelwatch/lib
# Whether it was not too much.
RUN python -c "import bot.charts.drawing, bot.dossier.page, bot.dossier.paper, bot.dossier.sheet; from matplotlib.figure import Figure; \
    figure = Figure(); figure.text(0, 0, 'Да'); figure.savefig('/dev/null', format='png')"

# Stage 2: that environment and nothing to build with, run by nobody in particular.
FROM python:3.13-slim
RUN useradd --uid 10001 --create-home channelwatch && install -d -o channelwatch -m 0700 /data
COPY --from=build /opt/channelwatch /opt/channelwatch
ENV PATH=/opt/channelwatch/bin:$PATH DATA_DIR=/data PYTHONUNBUFFERED=1
# Emoji in pictures of posts and in PDFs (11 MB), with the licence of the font.
COPY --from=build /usr/share/fonts/truetype/noto /usr/share/fonts/truetype/noto
COPY --from=build /usr/share/doc/fonts-noto-color-emoji /usr/share/doc/fonts-noto-color-emoji
# OCR=1 adds the program that reads text in pictures, with Russian, Ukrainian and English.
ARG OCR=
RUN [ -z "$OCR" ] || (apt-get update && apt-get install -y --no-install-recommends \
    tesseract-ocr tesseract-ocr-rus tesseract-ocr-ukr && rm -rf /var/lib/apt/lists/*)
USER channelwatch
WORKDIR /data
VOLUME /data
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s CMD ["channelwatch", "health"]
STOPSIGNAL SIGTERM
CMD ["channelwatch", "run"]

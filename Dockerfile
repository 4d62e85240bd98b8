# tally as an image, built from this repository: docker build --tag tallystick:local .
FROM node:24-slim AS build
WORKDIR /build
COPY . .
# Without install scripts: they are for tests, which are not run here. A checkout that only its owner may read must not
# become an image that `node` can't.
RUN npm ci --ignore-scripts \
  && npm run build \
  && npm prune --omit=dev --ignore-scripts \
  && rm -rf packages/testing packages/*/src packages/*/test packages/*/tsconfig.* node_modules/@tallystick/testing \
  && chmod -R a+rX package.json node_modules packages

FROM node:24-slim
WORKDIR /opt/tallystick
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/packages packages
# The volume takes its owner from here.
RUN install -d -o node -g node /var/lib/tallystick /var/lib/tallystick/signer
USER node
ENV NODE_ENV=production
# Bounds that keep it under 256 MiB (docs/kafka.md); what a deployment sets itself replaces them.
ENV NODE_OPTIONS="--max-old-space-size=128 --max-semi-space-size=8"
EXPOSE 8040
ENTRYPOINT ["node", "/opt/tallystick/packages/cli/bin/tally.js"]
CMD ["--help"]

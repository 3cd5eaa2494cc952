module github.com/ombudhq/ombud/test/heads

go 1.26.0

replace github.com/ombudhq/ombud => ../..

require (
	filippo.io/torchwood v0.9.0
	github.com/aws/aws-sdk-go-v2 v1.47.6
	github.com/johannesboyne/gofakes3 v1.2.0
	github.com/ombudhq/ombud v0.0.0
	golang.org/x/mod v0.42.0
)

require (
	github.com/aws/smithy-go v1.28.8 // indirect
	github.com/ryszard/goskiplist v0.0.0-20150312221310-2dfbae5fcf46 // indirect
	go.shabbyrobe.org/gocovmerge v0.0.0-20230507111327-fa4f82cfbf4d // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
)
